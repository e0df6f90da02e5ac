// Starts Next's own server inside the function and passes each request of the function URL on to it.
process.env.PORT = "3000";
process.env.HOSTNAME = "127.0.0.1";
await import("./server.js");

async function passOn(url, init) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await fetch(url, init);
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export const handler = async ({ rawPath, rawQueryString, requestContext, body }) => {
  const url = `http://127.0.0.1:3000${rawPath}?${rawQueryString}`;
  const response = await passOn(url, { method: requestContext.http.method, body });
  return {
    statusCode: response.status,
    headers: { "content-type": response.headers.get("content-type") ?? "text/plain" },
    body: await response.text(),
  };
};
