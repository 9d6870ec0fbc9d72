import { imagesWithout, type Session } from "./session.ts";

export interface ReasonRow {
  image: string;
  text: string;
}

export function putReasons(session: Session, teacher: number, rows: readonly ReasonRow[]): void {
  const now = Date.now();
  for (const { image, text } of rows) {
    session.run("INSERT OR IGNORE INTO images(hash) VALUES (?)", image);
    session.run(
      `INSERT OR REPLACE INTO reasons(image_id, teacher_id, text, created_at)
       SELECT id, ?, ?, ? FROM images WHERE hash = ?`,
      teacher,
      text,
      now,
      image,
    );
  }
}

export function reasonOf(session: Session, teacher: number, image: string): string | undefined {
  const row = session.get(
    `SELECT r.text FROM images i JOIN reasons r ON r.image_id = i.id WHERE i.hash = ? AND r.teacher_id = ?`,
    image,
    teacher,
  );
  return row && String(row.text);
}

export function missingReasons(
  session: Session,
  teacher: number,
  images: Iterable<string>,
): Generator<string> {
  return imagesWithout(session, "JOIN reasons r ON r.image_id = i.id AND r.teacher_id = ?", teacher, images);
}
