/** A line that stays on the screen: a short label, then the text. */
export interface Line {
  readonly label: string;
  readonly text: string;
  readonly tone: "fact" | "done" | "warning" | "detail";
}
