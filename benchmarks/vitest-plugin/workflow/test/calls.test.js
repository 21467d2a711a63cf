import { env, introspectWorkflowInstance } from "cloudflare:test";
import { test } from "vitest";

const tests = Array.from({ length: 100 }, (_, number) => number);

test.each(tests)("three steps and a mock, number %i", async () => {
  const instance = await introspectWorkflowInstance(env.THREE, "x");
  try {
    await instance.modify(async (m) => {
      await m.mockStepResult({ name: "two" }, "mocked");
    });
    await env.THREE.create({ id: "x" });
    await instance.waitForStatus("complete");
  } finally {
    await instance.dispose();
  }
});
