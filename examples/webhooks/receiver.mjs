// @ts-check
/**
 * Receives webhooks of Holdfast with nothing but Node: verifies, works, notes, and answers.
 *
 *     WEBHOOK_SECRET=whsec_... node receiver.mjs 8000 inbox.txt
 *
 * What matters is the order: nothing of a request is believed before its signature is verified over the very bytes that
 * came, and the answer leaves when the work is done and noted: an event that is not answered within 15 seconds comes again.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { open } from "node:fs/promises";
import { createServer } from "node:http";

const BODY_BYTES_MAX = 256_000; // Holdfast sends no more
const TOLERANCE_S = 300;

/**
 * Whether a body was signed with the secret, at most five minutes ago (Standard Webhooks 1.0.0).
 *
 * @param {Buffer} secret
 * @param {import("node:http").IncomingHttpHeaders} headers
 * @param {Buffer} body as it came: JSON that is parsed and written again is another
 */
function isVerified(secret, headers, body) {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures } = headers;
  if (typeof id !== "string" || typeof timestamp !== "string" || typeof signatures !== "string") return false;
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_S) return false;
  const expected = createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(body).digest();
  // Several while a secret is rotated; one of ours is enough.
  return signatures.split(" ").some((one) => {
    const [version, text = ""] = one.split(",", 2);
    const given = Buffer.from(text, "base64");
    return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

/** @typedef {{id: string, type: string, subject: string, cursor?: string}} Event */

/** Events that came, each once however often it was sent, a line each; a database of yours would have a table. */
class Inbox {
  /** @type {Set<string>} */
  #known = new Set();
  /** @type {Promise<void>} */
  #last = Promise.resolve();

  /** @param {import("node:fs/promises").FileHandle} file */
  constructor(file) {
    this.file = file;
  }

  /** @param {string} path */
  static async at(path) {
    const inbox = new Inbox(await open(path, "a+"));
    const kept = await inbox.file.readFile("utf8");
    const whole = kept.slice(0, kept.lastIndexOf("\n") + 1);
    await inbox.file.truncate(Buffer.byteLength(whole)); // a line that was cut off was never answered
    for (const line of whole.split("\n").slice(0, -1)) inbox.#known.add(line.split("\t", 1)[0]);
    return inbox;
  }

  /**
   * Do the work for an event that is not known, and note it with the cursor that is in it.
   *
   * @param {string} id
   * @param {Event} event
   */
  once(id, event) {
    const done = this.#last.then(async () => {
      if (this.#known.has(id)) return;
      await handle(event);
      await this.file.appendFile(`${id}\t${JSON.stringify(event)}\n`);
      await this.file.datasync(); // answered only when no loss of power undoes it
      this.#known.add(id);
    });
    this.#last = done.catch(() => {}); // that one is told who asked; the next one is another
    return done;
  }
}

/**
 * Your work; what takes longer than a few seconds belongs in a queue of yours, and is put there here. It is done twice for one
 * event where the machine stops between the work and the note.
 *
 * @param {Event} event
 */
async function handle(event) {
  console.log(event.id, event.type, event.subject);
}

/** @param {import("node:http").IncomingMessage} request */
async function bodyOf(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const [port, path] = [Number(process.argv[2]), process.argv[3]];
const secret = Buffer.from((process.env.WEBHOOK_SECRET ?? "").replace(/^whsec_/, ""), "base64");
if (!port || !path || secret.length < 24) {
  console.error("usage: WEBHOOK_SECRET=whsec_... node receiver.mjs PORT FILE");
  process.exit(2);
}
const inbox = await Inbox.at(path);

/**
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:http").ServerResponse} response
 */
async function receive(request, response) {
  if (request.method !== "POST") return response.writeHead(405, { allow: "POST" }).end();
  const body = await bodyOf(request);
  if (body === null) return response.writeHead(413, { connection: "close" }).end();
  if (!isVerified(secret, request.headers, body)) return response.writeHead(401).end();
  const event = JSON.parse(body.toString("utf8"));
  await inbox.once(String(request.headers["webhook-id"]), event);
  response.writeHead(204).end();
}

const server = createServer((request, response) => {
  receive(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) response.writeHead(500); // it comes again
    response.end();
  });
});
server.requestTimeout = 10_000;
server.listen(port, "127.0.0.1", () => console.log(`ready on 127.0.0.1:${port}`));
