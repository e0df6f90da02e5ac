/** Markup that is safe as it stands: only {@link html} and {@link raw} make it. */
export interface Html {
  readonly html: string;
}

type Part = Html | string | number | readonly Html[];

/** Markup from a template; what is put into it is text, except markup itself. Attributes must stand in double quotes. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const text = strings.map(
    (string, index) => `${string}${index < parts.length ? partOf(parts[index] ?? "") : ""}`,
  );
  return { html: text.join("") };
}

/** Text of our own, with markup in it. */
export function raw(text: string): Html {
  return { html: text };
}

export const NOTHING: Html = { html: "" };

function partOf(part: Part): string {
  if (typeof part === "string") return escapeHtml(part);
  if (typeof part === "number") return String(part);
  return "html" in part ? part.html : part.map((one) => one.html).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Names in an image are anybody's: no markup of theirs, and no control character or direction mark, comes through. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? "");
}

/** Signs that cannot be seen, or that make a name read as another, as U+FFFD. */
export function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, "\ufffd");
}

/** A value for a `<script type="application/json">`: JSON in which no tag can begin or end. */
export function jsonHtml(value: unknown): Html {
  return raw(JSON.stringify(value).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`));
}
