import type { OnEvent } from "../../events.ts";
import { printable, redactText } from "../errors/redact.ts";

/** distribution-spec "Warnings": `299 - "text"`, from any answer. Shown once, never acted on. */
export function warningsTo(onEvent: OnEvent | undefined, name: string): (headers: readonly string[]) => void {
  const shown = new Set<string>();
  return (headers) => {
    for (const text of headers.flatMap((header) => warningText(header) ?? [])) {
      if (shown.has(text)) continue;
      shown.add(text);
      onEvent?.({ type: "warning", message: `${name} says: ${printable(redactText(text))}` });
    }
  };
}

/** RFC 7234 5.5 with the code, agent and date that distribution-spec fixes: 299, `-` and none. */
export function warningText(header: string): string | undefined {
  const quoted = /^299 - "((?:[^"\\]|\\.)*)"$/su.exec(header.trim())?.[1];
  const text = quoted?.replace(/\\(.)/gsu, "$1");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a quoted-string has none but tab (RFC 9110 5.6.4).
  return text === undefined || text === "" || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(text)
    ? undefined
    : text;
}
