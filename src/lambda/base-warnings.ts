import { BASES, type BaseFacts, shortName } from "./bases.ts";

/** The fields of a `warning` event. */
interface BaseWarning {
  readonly message: string;
  readonly hint: string;
}

/** The last days of Amazon Linux 1 and 2 (endoflife.date, amazon-linux). */
const SYSTEM_ENDS = { AL1: "2023-12-31", AL2: "2026-06-30" } as const;

/**
 * Warns if, on the day `today` (UTC), AWS no longer patches `base`, or its Amazon Linux has reached
 * its end. Functions keep working; only security patches end.
 */
export function baseWarnings(base: BaseFacts, today: Date): readonly BaseWarning[] {
  const day = today.toISOString().slice(0, "2026-11-23".length);
  const reasons = [
    ...(base.deprecated < day ? [`AWS ended its support on ${base.deprecated}`] : []),
    ...systemReason(base, day),
  ];
  if (reasons.length === 0) return [];
  return [
    {
      message: `the base ${shortName(base)} gets no more security patches: ${reasons.join(", and ")}`,
      hint: `build on the newest: --base ${shortName(newest(base))}`,
    },
  ];
}

function systemReason({ system }: BaseFacts, day: string): readonly string[] {
  if (system === "AL2023" || SYSTEM_ENDS[system] >= day) return [];
  return [`its Amazon Linux ${system.slice(2)} ended on ${SYSTEM_ENDS[system]}`];
}

function newest(base: BaseFacts): BaseFacts {
  const repository = base.repository === "go" ? "provided" : base.repository;
  return BASES.find((other) => other.repository === repository) ?? base;
}
