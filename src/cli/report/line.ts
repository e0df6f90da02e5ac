/** A line that stays: a short label, then what is to be said. */
export interface Line {
  readonly label: string;
  readonly text: string;
  readonly tone: "fact" | "done" | "warning" | "detail";
}
