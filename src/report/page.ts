import { createHash } from "node:crypto";
import type { Inspection } from "../commands/inspect/inspection.ts";
import { bars } from "./bars.ts";
import { type Html, html, jsonHtml, NOTHING, raw } from "./html.ts";
import { MODEL_SCRIPT } from "./model-script.ts";
import { SEARCH_SCRIPT } from "./search-script.ts";
import { configSection, layersSection, mapSection, tiles, wasteSection } from "./sections.ts";
import { STYLE } from "./style.ts";
import { treeOf } from "./tree.ts";
import { TREEMAP_SCRIPT } from "./treemap-script.ts";
import { VIEW_SCRIPT } from "./view-script.ts";

/** Characters: all files that an inspection names; of a larger list the smaller ones are summed up. */
const TREE_BUDGET = 2_500_000;

const SCRIPT = `"use strict";(() => {${TREEMAP_SCRIPT}${MODEL_SCRIPT}${VIEW_SCRIPT}${SEARCH_SCRIPT}})();`;

/** A browser refuses whatever is not these two texts: nothing is loaded, and nothing of an image can run. */
const POLICY = `default-src 'none'; script-src '${hashOf(SCRIPT)}'; style-src '${hashOf(STYLE)}'; base-uri 'none'; form-action 'none'`;

/**
 * An inspection as one HTML page, complete in itself: a map of all files to zoom and to search, what of Lambda's 10 GB is used, and what is wasted.
 * It loads nothing, works by keyboard, and stays below some 3 MB. The same inspection gives the same page.
 */
export function inspectionPage(inspection: Inspection): string {
  const { reference, digest, platform, contents } = inspection;
  const body = html`<header><h1>${reference}</h1><div class="soft">${platform}</div><div class="mono soft">${digest}</div></header>
${contents ? html`${tiles(inspection, contents)}${bars(inspection, contents)}${mapSection(contents)}` : NOTHING}
${contents ? wasteSection(contents) : NOTHING}${layersSection(inspection)}${configSection(inspection)}
<footer>Made by lambda-pack inspect. This page loads nothing from anywhere.</footer>`;
  return page(`${reference} · lambda-pack`, body, scripts(inspection)).html;
}

function page(title: string, body: Html, scripts: Html): Html {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${title}</title><style>${raw(STYLE)}</style></head>
<body><main>${body}</main>${scripts}</body></html>
`;
}

function scripts({ layers, contents }: Inspection): Html {
  if (!contents) return NOTHING;
  const tree = treeOf(contents.files, { omitted: contents.omitted, budget: TREE_BUDGET });
  const parts = layers.map(({ part }) => (part ? ` (${part})` : ""));
  return html`<script type="application/json" id="data">${jsonHtml({ tree, layers: parts })}</script><script>${raw(SCRIPT)}</script>`;
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
