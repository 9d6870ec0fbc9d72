import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ImageMatcher } from "../../../src/engine/dataset/match.ts";
import { nameOf, uploadedName } from "../../../src/engine/dataset/nameReadings.ts";
import { makeIndex } from "../../support/imageIndex.ts";

function matcherOf(paths: string[]) {
  const test = makeIndex(paths);
  const matcher = new ImageMatcher(test.index);
  return (name: string) => {
    const match = matcher.match(name);
    if ("problem" in match) return match.problem;
    return paths.find((path) => test.hashOf(path) === match.hash);
  };
}

const messageOf = (paths: string[], name: string) => {
  const match = new ImageMatcher(makeIndex(paths).index).match(name);
  return "message" in match ? JSON.stringify(match.message) : "";
};

describe("names of Label Studio", () => {
  const find = matcherOf(["photos/my pic (1).jpg", "photos/b.jpg", "photos/x/same.jpg", "photos/y/same.jpg"]);

  it("are read whichever way the file came in", () => {
    for (const name of [
      "/data/upload/3/1a2b3c4d-my_pic_1.jpg",
      "data/upload/3/1a2b3c4d-my_pic_1.jpg",
      "1a2b3c4d-my_pic_1.jpg",
      "https://studio.example:8080/data/upload/3/1a2b3c4d-my_pic_1.jpg",
      "/data/local-files/?d=photos/my pic (1).jpg",
      "/data/local-files/?d=photos/my%20pic%20%281%29.jpg",
      "/data/local-files/?d=home%2Fphotos%2Fmy+pic+(1).jpg",
      "s3://bucket/photos/my pic (1).jpg",
      "s3://bucket/photos/my%20pic%20(1).jpg",
      "https://bucket.example/photos/my%20pic%20(1).jpg?X-Amz-Signature=0a&response=b.jpg",
      "file:///home/me/photos/my%20pic%20(1).jpg",
      `/tasks/1/resolve/?fileuri=${Buffer.from("s3://bucket/photos/my pic (1).jpg").toString("base64")}`,
      "['.\\\\photos\\\\my pic (1).jpg']",
      '["photos/my pic (1).jpg"]',
      "my%20pic%20(1).jpg",
      "photos/my pic (1).jpg?v=2",
    ])
      expect(find(name), name).toBe("photos/my pic (1).jpg");
    expect(find("/data/upload/12/deadbeef-b.jpg")).toBe("photos/b.jpg");
  });

  it("are told by their folders, or not at all", () => {
    expect(find("/data/local-files/?d=photos/x/same.jpg")).toBe("photos/x/same.jpg");
    expect(find("https://host/other/y/same.jpg?x=1")).toBe("photos/y/same.jpg");
    expect(find("/data/upload/3/1a2b3c4d-same.jpg")).toBe("ambiguous");
  });

  it("that are made of two names are told, not guessed", () => {
    const both = matcherOf(["p/my pic.jpg", "p/my_pic.jpg", "p/other pic.jpg"]);
    expect(both("/data/upload/3/1a2b3c4d-my_pic.jpg")).toBe("ambiguous");
    expect(both("/data/upload/3/1a2b3c4d-other_pic.jpg")).toBe("p/other pic.jpg");
    // What is written as it is, is meant as it is.
    expect(both("my_pic.jpg")).toBe("p/my_pic.jpg");
    expect(both("other_pic.jpg")).toBe("noImage");
    const stored = matcherOf(["p/1a2b3c4d-a.jpg", "p/a.jpg"]);
    expect(stored("/data/upload/3/1a2b3c4d-a.jpg")).toBe("p/1a2b3c4d-a.jpg");
  });

  it("come back from any name of a file", () => {
    const name = fc
      .string({ unit: fc.constantFrom(..."aB1é😀 ,;+%&()'_-."), minLength: 1, maxLength: 10 })
      .map((text) => text.trim())
      .filter((text) => /[\p{L}\p{N}]/u.test(text) && !text.startsWith("."));
    fc.assert(
      fc.property(name, fc.integer({ min: 0, max: 0xffffffff }), (stem, number) => {
        const file = `photos/${stem}.jpg`;
        const one = matcherOf([file, "photos/zzz.jpg"]);
        const digits = number.toString(16).padStart(8, "0");
        expect(one(`/data/upload/3/${digits}-${uploadedName(file)}`)).toBe(file);
        expect(one(`/data/local-files/?d=${encodeURIComponent(`photos/${stem}.jpg`)}`)).toBe(file);
        expect(one(`https://host/a/${encodeURIComponent(stem)}.jpg?x=1`)).toBe(file);
        expect(one(`s3://bucket/photos/${stem}.jpg`)).toBe(file);
      }),
    );
  });

  it("never throw, whatever is written", () => {
    const find = matcherOf(["photos/a.jpg"]);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        find(text);
        find(`/data/local-files/?d=${text}`);
        find(`https://${text}`);
        expect(typeof nameOf(text)).toBe("string");
      }),
    );
  });
});

describe("Unicode", () => {
  const [composed, split] = ["caf\u00e9.jpg", "cafe\u0301.jpg"];

  it("has two forms of one name", () => {
    expect(matcherOf([`p/${composed}`])(split)).toBe(`p/${composed}`);
    expect(matcherOf([`p/${split}`])(composed)).toBe(`p/${split}`);
    expect(matcherOf([`p/${split}`])(`p/${composed}`)).toBe(`p/${split}`);
    expect(matcherOf([`p/${split}`])("CAF\u00c9")).toBe(`p/${split}`);
  });

  it("means the very name where both are there", () => {
    const find = matcherOf([`p/${composed}`, `p/${split}`]);
    expect(find(composed)).toBe(`p/${composed}`);
    expect(find(split)).toBe(`p/${split}`);
    expect(find("caf\u00c9.jpg")).toBe("ambiguous");
  });
});

describe("a name that finds nothing", () => {
  it("is told with the nearest one", () => {
    expect(messageOf(["p/sunset_beach.jpg", "p/b.jpg"], "sunset_baech.jpg")).toContain("sunset_beach.jpg");
    expect(messageOf(["p/sunset_beach.jpg"], "mountain.jpg")).not.toContain("sunset_beach.jpg");
    // Only the ending differs: that is no other name.
    expect(matcherOf(["p/sunset.jpg"])("sunset.png")).toBe("p/sunset.jpg");
  });
});
