import type { OnEvent } from "../../events.ts";
import { printable, redactText } from "../errors/redact.ts";

/** The most warnings of a registry that are shown. One more event says that there are others. */
const MAX_SHOWN = 20;

/**
 * Returns a function that reports the warnings in answers (distribution-spec "Warnings"), each
 * once, and at most 20.
 */
export function warningsTo(onEvent: OnEvent | undefined, name: string): (headers: readonly string[]) => void {
  const shown = new Set<string>();
  return (headers) => {
    for (const text of headers.flatMap((header) => warningText(header) ?? [])) {
      if (shown.has(text) || shown.size > MAX_SHOWN) continue;
      shown.add(text);
      const words = shown.size > MAX_SHOWN ? "more, which is not shown" : printable(redactText(text));
      onEvent?.({ type: "warning", message: `${name} says: ${words}` });
    }
  };
}

/**
 * Returns the text of a Warning header (RFC 7234 5.5) with code 299 and agent `-`, the form in
 * distribution-spec.
 */
export function warningText(header: string): string | undefined {
  const quoted = /^299 - "((?:[^"\\]|\\.)*)"$/su.exec(asUtf8(header).trim())?.[1];
  const text = quoted?.replace(/\\(.)/gsu, "$1");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a quoted-string has none but tab (RFC 9110 5.6.4).
  return text === undefined || text === "" || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(text)
    ? undefined
    : text;
}

/**
 * Decodes a header as UTF-8, which registries write, although Node has read it as Latin-1. Other
 * bytes stay as they are.
 */
function asUtf8(header: string): string {
  const text = Buffer.from(header, "latin1").toString("utf8");
  return text.includes("\uFFFD") ? header : text;
}
