import { SELF } from "cloudflare:test";
import { expect, test } from "vitest";

const tests = Array.from({ length: 100 }, (_, number) => number);

test.each(tests)("one query and one put, number %i", async () => {
  const response = await SELF.fetch("https://example.com/");
  expect(await response.text()).toBe("a1");
});
