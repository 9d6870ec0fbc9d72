/** A sentence as data: an English template with places {0}, {1} …, and what stands there. It is put in words at the edge. */
export interface Text {
  template: string;
  values: TextValue[];
}

/** `count`: a whole number, whose digits are grouped as the reader's language does. */
export type TextValue = string | number | { count: number } | Text;
