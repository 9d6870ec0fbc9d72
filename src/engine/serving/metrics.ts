import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What Prometheus reads from `/metrics`, beside the process's own figures. */
export interface ServiceMetrics {
  /** One answered request; `seconds` from its first byte to the last of the answer. */
  request(route: string, status: number, seconds: number): void;
  image(outcome: "scored" | "failed"): void;
  text(): Promise<string>;
  contentType: string;
}

const secondsOf = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function serviceMetrics(
  student: { fingerprint: string; stage: string },
  inside: () => number,
): ServiceMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Counter({
    name: "leaf_requests_total",
    help: "Requests answered, by route and status.",
    labelNames: ["route", "status"],
    registers,
  });
  const seconds = new Histogram({
    name: "leaf_request_seconds",
    help: "Seconds from a request's first byte to the end of its answer.",
    labelNames: ["route"],
    buckets: secondsOf,
    registers,
  });
  const images = new Counter({
    name: "leaf_images_total",
    help: "Images looked at, scored or failed.",
    labelNames: ["outcome"],
    registers,
  });
  new Gauge({
    name: "leaf_requests_inside",
    help: "Scoring requests that were let in and are not answered yet.",
    registers,
    collect() {
      this.set(inside());
    },
  });
  new Gauge({
    name: "leaf_student_info",
    help: "The student that scores.",
    labelNames: ["fingerprint", "stage"],
    registers,
  }).set(student, 1);
  return {
    request(route, status, took) {
      requests.inc({ route, status });
      seconds.observe({ route }, took);
    },
    image: (outcome) => images.inc({ outcome }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
