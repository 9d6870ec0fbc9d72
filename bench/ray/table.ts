/** Tells what took how long, and what came of it. */
export type Tell = (what: string, seconds: number, found?: string) => void;

export const teller =
  (amount: number): Tell =>
  (what, seconds, found = "") =>
    console.log(
      `${what}: ${(amount / seconds).toFixed(1)} images a second (${seconds.toFixed(1)} s) ${found}`,
    );
