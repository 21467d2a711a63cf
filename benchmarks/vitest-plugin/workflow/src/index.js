import { WorkflowEntrypoint } from "cloudflare:workers";

export class Three extends WorkflowEntrypoint {
  async run(event, step) {
    for (const name of ["one", "two", "three"]) {
      await step.do(name, async () => name);
    }
  }
}

export default {
  async fetch() {
    return new Response("");
  },
};
