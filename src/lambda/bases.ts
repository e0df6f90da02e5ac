import type { Architecture } from "../oci/platform.ts";
import { compareVersions } from "./binary/elf.ts";

/** The repositories under `public.ecr.aws/lambda`; each is a short name on the command line. */
export type Language = "python" | "nodejs" | "java" | "dotnet" | "ruby" | "provided" | "go";

/** The operating system of a base: Amazon Linux 1, 2 or 2023. */
export type BaseSystem = "AL1" | "AL2" | "AL2023";

/** What is known about one of AWS's base images without a registry. */
export interface BaseFacts {
  /** Lambda's runtime identifier, where the base is also a managed runtime. */
  readonly runtime?: string;
  readonly repository: Language;
  readonly tag: string;
  readonly system: BaseSystem;
  readonly architectures: readonly Architecture[];
  /** The day (UTC, `2028-10-31`) after which AWS no longer patches it. */
  readonly deprecated: string;
}

/** How a handler is written (AWS, "Create a Lambda function using a container image"). */
export const HANDLER_FORMS: Readonly<Record<Language, string>> = {
  python: "app.handler",
  nodejs: "index.handler",
  ruby: "lambda_function.lambda_handler",
  java: "com.example.App::handleRequest",
  dotnet: "Assembly::Namespace.Type::Method",
  provided: "bootstrap",
  go: "main",
};

/**
 * AWS's base images, the newest of each language first. Gathered on 2026-11-23 from
 * endoflife.date's aws-lambda page of 2026-08-22 (which reads AWS's runtime table),
 * aws-lambda-base-images' branches and aws-sam-cli 1.164's runtime table.
 */
export const BASES: readonly BaseFacts[] = [
  base("python", "3.14", "AL2023", "2029-06-30"),
  base("python", "3.13", "AL2023", "2029-06-30"),
  base("python", "3.12", "AL2023", "2028-10-31"),
  base("python", "3.11", "AL2", "2027-06-30"),
  base("python", "3.10", "AL2", "2026-10-31"),
  base("python", "3.9", "AL2", "2025-12-15"),
  base("python", "3.8", "AL2", "2024-10-14"),
  base("nodejs", "24", "AL2023", "2028-04-30", { runtime: "nodejs24.x" }),
  base("nodejs", "22", "AL2023", "2027-04-30", { runtime: "nodejs22.x" }),
  base("nodejs", "20", "AL2023", "2026-04-30", { runtime: "nodejs20.x" }),
  base("nodejs", "18", "AL2", "2025-09-01", { runtime: "nodejs18.x" }),
  base("nodejs", "16", "AL2", "2024-06-12", { runtime: "nodejs16.x" }),
  base("java", "25", "AL2023", "2029-06-30"),
  base("java", "21", "AL2023", "2029-06-30"),
  base("java", "17.al2023", "AL2023", "2029-06-30"),
  base("java", "11.al2023", "AL2023", "2029-06-30"),
  base("java", "8.al2023", "AL2023", "2029-06-30"),
  base("java", "17", "AL2", "2027-06-30"),
  base("java", "11", "AL2", "2027-06-30"),
  base("java", "8.al2", "AL2", "2027-06-30"),
  base("java", "8", "AL1", "2024-01-08", { architectures: ["x86_64"] }),
  base("dotnet", "10", "AL2023", "2028-11-14"),
  unmanaged("dotnet", "9", "AL2023", "2026-11-10"),
  base("dotnet", "8", "AL2023", "2026-11-10"),
  unmanaged("dotnet", "7", "AL2", "2024-05-14"),
  base("dotnet", "6", "AL2", "2024-12-20"),
  base("ruby", "4.0", "AL2023", "2029-03-31"),
  base("ruby", "3.4", "AL2023", "2028-03-31"),
  base("ruby", "3.3", "AL2023", "2027-03-31"),
  base("ruby", "3.2", "AL2", "2026-03-31"),
  base("provided", "al2023", "AL2023", "2029-06-30", { runtime: "provided.al2023" }),
  base("provided", "al2", "AL2", "2026-07-31", { runtime: "provided.al2" }),
  base("provided", "alami", "AL1", "2024-01-08", { runtime: "provided", architectures: ["x86_64"] }),
  base("go", "1", "AL1", "2024-01-08", { runtime: "go1.x", architectures: ["x86_64"] }),
];

function base(
  repository: Language,
  tag: string,
  system: BaseSystem,
  deprecated: string,
  more: Partial<Pick<BaseFacts, "runtime" | "architectures">> = {},
): BaseFacts {
  return { runtime: repository + tag, ...unmanaged(repository, tag, system, deprecated), ...more };
}

function unmanaged(repository: Language, tag: string, system: BaseSystem, deprecated: string): BaseFacts {
  return { repository, tag, system, deprecated, architectures: ["x86_64", "arm64"] };
}

/** Returns the name as a user writes it: `python:3.12`. */
export function shortName({ repository, tag }: BaseFacts): string {
  return `${repository}:${tag}`;
}

export function isLanguage(text: string): text is Language {
  return Object.hasOwn(HANDLER_FORMS, text);
}

/** Dated tags and tags of one architecture: `3.12.2026.01.01.10`, `3.12-arm64`. */
const TAG_SUFFIX = /^(?:\.\d{4}\.\d{2}\.\d{2}\.\d{2})?(?:-(x86_64|arm64))?$/;

/** Finds `<repository>:<tag>`; the facts of a tag with an architecture have only that one. */
export function findBase(repository: string, tag: string): BaseFacts | undefined {
  for (const facts of BASES) {
    if (facts.repository !== repository || !tag.startsWith(facts.tag)) continue;
    const suffix = TAG_SUFFIX.exec(tag.slice(facts.tag.length));
    if (!suffix) continue;
    const named = facts.architectures.filter((one) => one === suffix[1]);
    return suffix[1] === undefined ? facts : { ...facts, architectures: named };
  }
  return undefined;
}

/** The last days of Amazon Linux 1 and 2 (endoflife.date, amazon-linux). */
const SYSTEM_ENDS = { AL1: "2023-12-31", AL2: "2026-06-30" } as const;

/**
 * Warns if, on the day `today` (UTC), AWS no longer patches `base`, or its Amazon Linux has reached
 * its end. Functions keep working; only security patches end.
 */
export function baseWarnings(
  base: BaseFacts,
  today: Date,
): readonly { readonly message: string; readonly hint: string }[] {
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

/** The bases that need no label, from these versions on (AWS, "Lambda SnapStart"). */
const SNAPSTART_FROM: ReadonlyMap<Language, string> = new Map([
  ["java", "11"],
  ["python", "3.12"],
  ["dotnet", "8"],
]);

/** All other bases need this label, with the value `Allow`. */
export const SNAPSTART_LABEL = "com.amazonaws.lambda.feature.snapstart";

/** Returns whether one of AWS's bases has SnapStart without a label. */
export function supportsSnapstart(base: BaseFacts | undefined): boolean {
  const from = base && SNAPSTART_FROM.get(base.repository);
  const [version = ""] = /^\d+(?:\.\d+)?/.exec(base?.tag ?? "") ?? [];
  return from !== undefined && compareVersions(version, from) >= 0;
}

/**
 * Returns the label that an image for SnapStart needs on this base (undefined: not one of AWS's);
 * none if SnapStart is not asked for.
 */
export function snapstartLabel(
  { snapstart = false }: { readonly snapstart?: boolean | undefined },
  base: BaseFacts | undefined,
): Readonly<Record<string, string>> {
  return snapstart && !supportsSnapstart(base) ? { [SNAPSTART_LABEL]: "Allow" } : {};
}
