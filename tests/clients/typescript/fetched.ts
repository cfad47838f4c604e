// The client of openapi-fetch with the types of openapi-typescript, used as its users use it.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };
const [, , baseUrl = "", picture = ""] = process.argv;
const client = createClient<paths>({ baseUrl });
const params = { header: { Prefer: "wait=20" } };
const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
type Problem = components["schemas"]["Problem"];

const hello = await client.POST("/functions/hello", { params, body: { name: "Ada" } });
const greeting: string | null | undefined = hello.data?.result;

const byJson = await client.POST("/functions/thumbnail", {
  params,
  body: { image: picture, width: 32 },
});
const byBytes = await client.POST("/functions/thumbnail", {
  params: { header: params.header },
  headers: { "Content-Type": "application/octet-stream" },
  body: "", // what is sent is what the next line returns
  bodySerializer: () => bytes,
});
const small = await client.GET("/invocations/{invocation_id}/result", {
  params: { path: { invocation_id: byJson.data?.id ?? "" } },
  parseAs: "blob",
});

const wrong = await client.POST("/functions/thumbnail", {
  params,
  body: { image: picture, width: 0 },
});
const problem: Problem | undefined = wrong.error;

// Members with a default need not be given.
const schedule = await client.POST("/schedules", {
  body: { function: "hello", cron: "0 9 * * *", arguments: { name: "Ada" } },
});

const later = await client.POST("/functions/{name}", {
  params: { ...params, path: { name: "later" } },
  body: { x: 42 },
});

console.log(
  JSON.stringify({
    hello: greeting,
    byJson: byJson.data?.result,
    byBytes: byBytes.data?.result,
    small: small.data?.type,
    code: problem?.code,
    pointer: problem?.errors?.[0]?.pointer,
    scheduled: schedule.data?.arguments,
    later: later.data?.result,
  }),
);
