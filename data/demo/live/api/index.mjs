// Answers web requests, mails and ticks. Some paths are slower than others; a bad one fails.
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const handler = async (event) => {
  const path = event.rawPath ?? event.path ?? "/";
  console.log(JSON.stringify({ level: "INFO", message: `request for ${path}` }));
  if (event.fail) {
    console.error("no mailbox of that name");
    throw new RangeError(event.fail);
  }
  await pause(event.work_ms ?? 2);
  return { statusCode: path === "/missing" ? 404 : 200, body: JSON.stringify({ path }) };
};
