import { writeOutput } from "../../blobs/output-file.ts";
import type { InspectOptions } from "../../index.ts";
import { inspectionText } from "../answers/inspection.ts";
import type { Answer } from "../command.ts";
import type { Api } from "../io.ts";
import { checkDestination } from "../result.ts";
import { titles } from "./style.ts";

/**
 * Inspects an image, and writes the HTML report if it is asked for.
 * @throws WRITE_FAILED, and what `inspect` throws
 */
export async function answerInspection(
  options: InspectOptions,
  page: string | undefined,
  { inspect, inspectionPage }: Pick<Api, "inspect" | "inspectionPage">,
): Promise<Answer> {
  if (page !== undefined) await checkDestination(page);
  const inspection = await inspect(options);
  if (page !== undefined) {
    await writeOutput(page, await inspectionPage(inspection));
    options.onEvent?.({ type: "file-written", path: page, what: "HTML report" });
  }
  return {
    text: (columns, stream) => inspectionText(inspection, columns, titles(stream)),
    json: inspection,
  };
}
