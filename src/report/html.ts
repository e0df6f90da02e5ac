/** Safe markup, which only {@link html}, {@link fill} and {@link raw} create. */
export interface Html {
  readonly html: string;
}

type Part = Html | string | number | readonly Html[];

/** Creates markup; strings are escaped, markup is not. Attributes must be in double quotes. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const text = strings.map(
    (string, index) => `${string}${index < parts.length ? partOf(parts[index] ?? "") : ""}`,
  );
  return { html: text.join("") };
}

/** Marks text as markup; it must not come from an image. */
export function raw(text: string): Html {
  return { html: text };
}

/**
 * Creates markup from a template file by replacing each `{{name}}`.
 * @throws if a name has no value
 */
export function fill(template: string, values: Readonly<Record<string, Part>>): Html {
  return raw(
    template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`the template has a place "${name}" without a value`);
      return partOf(value);
    }),
  );
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

/**
 * Escapes text. Names in an image are not trusted: their markup, control characters and direction
 * marks are made harmless.
 */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? "");
}

/** Replaces invisible characters, and those that make a name look like another, by U+FFFD. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu, "\ufffd");
}

/** Formats a value for a JSON `<script>`, without characters that could begin or end a tag. */
export function jsonHtml(value: unknown): Html {
  return raw(JSON.stringify(value).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`));
}
