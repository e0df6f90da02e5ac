import { BAD_DOCUMENTS } from "../../test/support/reliability/documents.ts";
import { meetDocument } from "../../test/support/reliability/play-document.ts";
import { playScene, SCENES } from "../../test/support/reliability/scenes.ts";
import type { StageName } from "../../test/support/reliability/stage.ts";
import type { Budget } from "./budget.ts";
import { circumstances, say, table, writePart } from "./page.ts";

const STAGES: readonly StageName[] = ["ecr", "plain"];

/**
 * Plays scenes that no single fault can show, and builds over damaged images, at both registries.
 */
export async function scenes(budget: Budget): Promise<void> {
  const played = await budget.playEach(SCENES, 1, async (scene) => {
    const ends = await atBoth(scene, async (on) => judged("ok", await playScene(scene, on)));
    return [scene.row, scene.name, ...ends];
  });
  const built = await budget.playEach(BAD_DOCUMENTS, 1, async (bad) => {
    const ends = await atBoth(bad, async (on) => {
      const { ended, flaw } = await meetDocument(bad, on);
      return judged(ended, flaw);
    });
    return [bad.row, `a build over ${bad.name}`, ...ends];
  });
  const head = ["row", "what", "at the stand-in for ECR", "at a plain registry"];
  writePart("scenes", [circumstances(budget), table(head, [...played, ...built])].join("\n\n"));
}

function atBoth(
  { only }: { readonly only?: StageName },
  play: (on: StageName) => Promise<string>,
): Promise<readonly string[]> {
  return Promise.all(STAGES.map((on) => ((only ?? on) === on ? play(on) : "")));
}

function judged(ended: string, flaw: string | undefined): string {
  if (flaw === undefined) return ended;
  say(flaw);
  process.exitCode = 1;
  return `${ended} **${flaw.slice(0, 80)}**`;
}
