// One BullMQ worker process: up to BENCH_SLOTS calls at once.

import { Worker } from "bullmq";

const connection = { path: process.env.BENCH_REDIS_SOCKET, maxRetriesPerRequest: null };

function burn(value) {
  const start = process.cpuUsage();
  for (;;) {
    const used = process.cpuUsage(start);
    if (used.user + used.system >= 10_000) return value;
  }
}

const work = {
  noop: async ({ value }) => value,
  burn: async ({ value }) => burn(value),
  nap: ({ value }) => new Promise((resolve) => setTimeout(resolve, 100, value)),
  sleep_100ms: ({ value }) => new Promise((resolve) => setTimeout(resolve, 100, value)),
  sleep_1s: ({ value }) => new Promise((resolve) => setTimeout(resolve, 1000, value)),
  carry: async ({ text }) => text,
};

const worker = new Worker("work", (call) => work[call.name](call.data), {
  connection,
  concurrency: Number(process.env.BENCH_SLOTS),
});
worker.on("error", (error) => console.error(error));

async function stop() {
  await worker.close();
  process.exit(0);
}

process.on("SIGTERM", stop);
process.on("SIGINT", stop);
