import {
  isWay,
  type Trouble,
  type TroublePlan,
} from "../../test/support/reliability/faults/connection-faults.ts";
import {
  type FaultKind,
  refusal,
  status,
  type Work,
} from "../../test/support/reliability/faults/fault-kind.ts";
import { KINDS } from "../../test/support/reliability/faults/kinds.ts";
import type { StageName } from "../../test/support/reliability/stage.ts";

/** One push or pull during which a plan of faults is played. */
export interface Trial {
  readonly part: string;
  readonly name: string;
  readonly on: StageName;
  readonly work: Work;
  /** The name of the requests that fail, where not all of them do. */
  readonly at?: string;
  /** Selects the limits on silence of a quick mover. */
  readonly fault?: Trouble;
  readonly plan: () => TroublePlan;
  readonly ends: "well" | readonly string[];
  /**
   * `own`: with the product's own limits, in real time. `quick`: waits are skipped, and the limits
   * on silence are 0.8 s.
   */
  readonly pace: "own" | "quick";
}

export const STAGES: readonly StageName[] = ["ecr", "plain"];
const NETWORK = ["REGISTRY_ANSWER", "REGISTRY_UNREACHABLE"];

/** Lists the trials of all parts. */
export function trialsTogether(): readonly Trial[] {
  return [...pairs(), ...statuses(), ...slow(), ...outages(), ...tokenServers()];
}

/** Plays these faults at successive requests of one kind. */
function inTurn(at: string, on: StageName, troubles: readonly Trouble[], from = 1): TroublePlan {
  const name = at !== "blob-bytes" ? at : on === "ecr" ? "storage" : "get-blob";
  let seen = 0;
  return ({ kind, path }) => {
    if (name === "mount" ? !(kind === "start-upload" && path.includes("mount=")) : kind !== name)
      return undefined;
    seen += 1;
    return troubles[seen - from];
  };
}

type Passing = FaultKind & { readonly fault: Trouble };

/** Lists the faults that pass, affect one request, and end at once. */
function passingKinds(on: StageName): readonly Passing[] {
  return KINDS.flatMap((kind) => {
    const { fault, final, code, quirks, plain, only, work } = kind;
    if (final ?? code ?? quirks ?? plain ?? (only !== undefined && only !== on ? only : undefined)) return [];
    if (typeof fault === "function" || isWay(fault) || ["stall", "trickle"].includes(fault.do)) return [];
    return work === "chunks" ? [] : [{ ...kind, fault }];
  });
}

function pairs(): readonly Trial[] {
  return STAGES.flatMap((on) => {
    const kinds = passingKinds(on);
    return kinds.flatMap((first) =>
      kinds
        .filter(({ at, work }) => at === first.at && work === first.work)
        .map((second): Trial => {
          const { at, work } = first;
          const from = Math.max(first.from ?? 1, second.from ?? 1);
          const plan = () => inTurn(at, on, [first.fault, second.fault], from);
          const name = `${at}: ${first.name}, then ${second.name}`;
          return { part: "pairs of faults", name, on, work, plan, ends: "well", pace: "quick" };
        }),
    );
  });
}

const PROXIES = [408, 425, 499, 502, 504, 509, 520, 521, 522, 523, 524, 525, 527, 529, 530];
const REQUESTS: readonly (readonly [string, Work])[] = [
  ...(["head-blob", "start-upload", "put-blob", "head-manifest", "put-manifest"] as const).map(
    (at) => [at, "push"] as const,
  ),
  ...[["get-manifest", "pull"] as const, ["blob-bytes", "pull"] as const],
];

/** Plays each status twice in a row. */
function statuses(): readonly Trial[] {
  return STAGES.flatMap((on) =>
    REQUESTS.flatMap(([at, work]) =>
      PROXIES.map((code): Trial => {
        const plan = () => inTurn(at, on, [status(code), status(code)]);
        const name = `${at}: ${code} twice`;
        return { part: "statuses of proxies and CDNs", name, on, work, plan, ends: "well", pace: "quick" };
      }),
    ),
  );
}

const SILENCE: Trouble = { do: "stall", side: "request", at: 0 };

function slow(): readonly Trial[] {
  const part = "slow servers";
  return STAGES.flatMap((on) => [
    ...REQUESTS.flatMap(([at, work]): readonly Trial[] => {
      const all = (fault: Trouble) => () =>
        inTurn(
          at,
          on,
          Array.from({ length: 100 }, () => fault),
        );
      const late: Trouble = { do: "delay", ms: 300 };
      const shared = { part, on, work, pace: "quick", fault: SILENCE } as const;
      return [
        { ...shared, name: `${at}: each answer after 0.3 s of 0.8 s`, plan: all(late), ends: "well" },
        { ...shared, name: `${at}: no answer`, plan: all(SILENCE), ends: NETWORK },
        { ...shared, name: `${at}: no answer once`, plan: () => inTurn(at, on, [SILENCE]), ends: "well" },
      ];
    }),
    ...(["get-manifest", "blob-bytes"] as const).map((at): Trial => {
      const fault: Trouble = { do: "trickle", everyMs: 100 };
      const plan = () =>
        inTurn(
          at,
          on,
          Array.from({ length: 100 }, () => fault),
        );
      return {
        part,
        name: `${at}: a byte now and then`,
        on,
        work: "pull",
        plan,
        fault,
        ends: NETWORK,
        pace: "quick",
      };
    }),
    ...(["put-blob", "put-manifest"] as const).map((at): Trial => {
      const plan = () => inTurn(at, on, [{ do: "delay", ms: 45_000 }]);
      return { part, name: `${at}: an answer after 45 s`, on, work: "push", plan, ends: "well", pace: "own" };
    }),
  ]);
}

/** Fails all requests for the given time, starting with the first one. */
function outages(): readonly Trial[] {
  const during = (trouble: Trouble, ms: number) => (): TroublePlan => {
    let until: number | undefined;
    return () => {
      until ??= performance.now() + ms;
      return performance.now() < until ? trouble : undefined;
    };
  };
  const reset: Trouble = { do: "drop", when: "before-reading" };
  const all = { part: "outages", pace: "own" } as const;
  return STAGES.flatMap((on) => [
    ...[503, 502, 429].flatMap((code) =>
      (["push", "pull"] as const).map((work): Trial => {
        return {
          ...all,
          name: `${code} for 10 s`,
          on,
          work,
          plan: during(status(code), 10_000),
          ends: "well",
        };
      }),
    ),
    { ...all, name: "503 for 30 s", on, work: "push", plan: during(status(503), 30_000), ends: "well" },
    { ...all, name: "resets for 10 s", on, work: "push", plan: during(reset, 10_000), ends: "well" },
    { ...all, name: "503 for 100 s", on, work: "push", plan: during(status(503), 100_000), ends: NETWORK },
  ]);
}

function tokenServers(): readonly Trial[] {
  const part = "token server";
  const on = "plain";
  const at = "token";
  const trial = (
    name: string,
    troubles: readonly Trouble[],
    ends: Trial["ends"],
    more: Partial<Trial> = {},
  ): Trial => ({
    ...{ part, name, on, work: "push", ends, pace: "quick" },
    plan: () => inTurn(at, on, troubles),
    ...more,
  });
  const always = (trouble: Trouble) => Array.from({ length: 100 }, () => trouble);
  const page: Trouble = {
    do: "answer",
    status: 200,
    headers: { "content-type": "text/html" },
    body: "<html>",
  };
  const trickle: Trouble = { do: "trickle", everyMs: 100 };
  return [
    ...[500, 502, 503, 429, 520].map((code) => trial(`${code} twice`, [status(code), status(code)], "well")),
    trial("503 and then half of an answer", [status(503), { do: "resize", by: -20 }], "well"),
    trial("401", always(refusal(401, "UNAUTHORIZED", "wrong password")), ["DENIED"]),
    trial("403", always(refusal(403, "DENIED", "no")), ["DENIED"]),
    trial("a page in place of a token", always(page), ["REGISTRY_ANSWER"]),
    trial("a page in place of a token, once", [page], "well"),
    trial("405", always(status(405)), ["REGISTRY_ANSWER"]),
    trial("no answer", always(SILENCE), NETWORK, { fault: SILENCE }),
    trial("no answer once", [SILENCE], "well", { fault: SILENCE }),
    trial("a byte now and then", always(trickle), NETWORK, { fault: trickle }),
  ];
}
