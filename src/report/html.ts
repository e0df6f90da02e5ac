/** Markup that is safe to use: only {@link html}, {@link fill} and {@link raw} make it. */
export interface Html {
  readonly html: string;
}

type Part = Html | string | number | readonly Html[];

/**
 * Makes markup of a template. Strings in it become text; markup stays markup. Attributes have to be
 * in double quotes.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const text = strings.map(
    (string, index) => `${string}${index < parts.length ? partOf(parts[index] ?? "") : ""}`,
  );
  return { html: text.join("") };
}

/** Takes text that was written for this page as markup. */
export function raw(text: string): Html {
  return { html: text };
}

/**
 * Makes markup of a template file: puts a value at each place that is marked as `{{name}}`.
 * @throws if the template marks a place for which there is no value
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
 * Text as markup. Names in an image may come from anyone: none of their markup, control characters
 * or direction marks gets into the page.
 */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? "");
}

/** Replaces invisible characters, and those that make a name look like another, by U+FFFD. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu, "\ufffd");
}

/** A value for a `<script type="application/json">`: JSON in which no tag can begin or end. */
export function jsonHtml(value: unknown): Html {
  return raw(JSON.stringify(value).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`));
}
