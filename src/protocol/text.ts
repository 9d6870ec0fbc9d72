/** A sentence as data: an English template with places {0}, {1} …, and what stands there. It is put in words at the edge. */
export interface Text {
  template: string;
  values: TextValue[];
}

export type TextValue = string | number | Text;
