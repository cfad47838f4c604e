// Fastify before BullMQ. Waiting is BullMQ's own way: waitUntilFinished on QueueEvents.
//
// Beneath /keyed a call shows a key, which a hook looks up in Redis. A trace and a callback's
// address are kept with the call; an idempotency key is the call's id, BullMQ's own way.

import { Queue, QueueEvents } from "bullmq";
import Fastify from "fastify";
import Redis from "ioredis";

const connection = { path: process.env.BENCH_REDIS_SOCKET, maxRetriesPerRequest: null };
const queue = new Queue("work", { connection });
const events = new QueueEvents("work", { connection });
await events.waitUntilReady();
await queue.waitUntilReady();

const keys = new Redis(connection);
const web = Fastify({ logger: false, bodyLimit: 4 * 1024 * 1024 });

web.post("/accept/:name", async (request, reply) => {
  const call = await queue.add(request.params.name, request.body);
  reply.code(202);
  return { id: call.id };
});

web.post("/wait/:name", async (request) => {
  const call = await queue.add(request.params.name, request.body);
  return { result: await call.waitUntilFinished(events, 30_000) };
});

web.register(
  async (keyed) => {
    keyed.addHook("onRequest", async (request, reply) => {
      const [scheme, key] = (request.headers.authorization ?? "").split(" ");
      if (scheme !== "Bearer" || !(await keys.get(`key:${key}`))) {
        reply.code(401);
        return reply.send({ error: "unknown key" });
      }
    });

    function add(request) {
      const { traceparent, "x-callback-url": callback, "idempotency-key": jobId } = request.headers;
      const data = { ...request.body, traceparent, callback };
      return queue.add(request.params.name, data, jobId ? { jobId } : {});
    }

    keyed.post("/accept/:name", async (request, reply) => {
      const call = await add(request);
      reply.code(202);
      return { id: call.id };
    });

    keyed.post("/wait/:name", async (request) => {
      const call = await add(request);
      return { result: await call.waitUntilFinished(events, 30_000) };
    });
  },
  { prefix: "/keyed" },
);

web.post("/pause", async () => {
  await queue.pause();
  return {};
});

web.post("/resume", async () => {
  await queue.resume();
  return {};
});

await web.listen({ host: "127.0.0.1", port: Number(process.env.BENCH_PORT) });
