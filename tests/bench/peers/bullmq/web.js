// Fastify before BullMQ. Waiting is BullMQ's own way: waitUntilFinished on QueueEvents.

import { Queue, QueueEvents } from "bullmq";
import Fastify from "fastify";

const connection = { path: process.env.BENCH_REDIS_SOCKET, maxRetriesPerRequest: null };
const queue = new Queue("work", { connection });
const events = new QueueEvents("work", { connection });
await events.waitUntilReady();
await queue.waitUntilReady();

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

web.post("/pause", async () => {
  await queue.pause();
  return {};
});

web.post("/resume", async () => {
  await queue.resume();
  return {};
});

await web.listen({ host: "127.0.0.1", port: Number(process.env.BENCH_PORT) });
