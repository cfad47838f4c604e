// The client of @hey-api/openapi-ts, used as its users use it.
import { client } from "./hey/client.gen.js";
import {
  createSchedule,
  getInvocationResult,
  invoke,
  invokeHello,
  invokeThumbnail,
} from "./hey/index.js";
import type { Problem } from "./hey/index.js";

declare const process: { argv: string[] };
const [, , baseUrl = "", picture = ""] = process.argv;
client.setConfig({ baseUrl });
const headers = { Prefer: "wait=20" };
const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));

const hello = await invokeHello({ headers, body: { name: "Ada" } });
const greeting: string | null | undefined = hello.data?.result;

const byJson = await invokeThumbnail({ headers, body: { image: picture, width: 32 } });
const byBytes = await invokeThumbnail({
  headers: { ...headers, "Content-Type": "application/octet-stream" } as typeof headers,
  body: bytes as never, // its types know the first media type of a body alone
  bodySerializer: null,
});
const small = await getInvocationResult({ path: { invocation_id: byJson.data?.id ?? "" } });

const wrong = await invokeThumbnail({ headers, body: { image: picture, width: 0 } });
const problem: Problem | undefined = wrong.error;

const schedule = await createSchedule({
  body: { function: "hello", cron: "0 9 * * *", arguments: { name: "Ada" } },
});

const later = await invoke({ headers, path: { name: "later" }, body: { x: 42 } });

console.log(
  JSON.stringify({
    hello: greeting,
    byJson: byJson.data?.result,
    byBytes: byBytes.data?.result,
    small: small.data instanceof Blob ? small.data.type : undefined,
    code: problem?.code,
    pointer: problem?.errors?.[0]?.pointer,
    scheduled: schedule.data?.arguments,
    later: later.data?.result,
  }),
);
