export default {
  async fetch(request, env) {
    const row = await env.DB.prepare("SELECT ? AS id").bind("a1").first();
    await env.KV.put("last", row.id);
    return new Response(await env.KV.get("last"));
  },
};
