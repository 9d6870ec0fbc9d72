import { css } from "lit";

/** The pair fills the height; everything else takes what it needs. */
export const pairLayout = css`
  :host {
    display: flex;
    flex-direction: column;
    height: 100%;
    min-height: 320px;
    overflow: hidden;
  }
  leaf-pair-view {
    flex: 1 1 auto;
    min-height: 120px;
  }
  leaf-refusal {
    margin: 4px 8px;
  }
  .place {
    margin-inline-start: auto;
  }
  .below {
    display: grid;
    grid-template-columns: minmax(0, 1fr) minmax(260px, 3fr) minmax(0, 1fr);
    gap: 2px 12px;
    padding: 6px 8px 2px;
    align-items: start;
  }
  .caption {
    min-width: 0;
  }
  .caption.B {
    text-align: end;
  }
  .name {
    max-width: 100%;
    min-height: 0;
  }
  .name span {
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .figures {
    display: flex;
    flex-wrap: wrap;
    gap: 0 10px;
  }
  .B .figures {
    justify-content: end;
  }
  .acts {
    justify-content: center;
    gap: 4px 6px;
    padding: 2px 8px 6px;
  }
  leaf-pair-strip {
    flex: none;
    margin: 0 8px;
  }
  .view-tools {
    display: inline-flex;
    gap: 2px;
  }
  @media (max-width: 700px) {
    .below {
      grid-template-columns: 1fr 1fr;
    }
    leaf-judgement-bar {
      grid-area: 1 / 1 / 2 / 3;
    }
  }
  @media (max-height: 480px) {
    leaf-pair-strip {
      display: none;
    }
  }
`;
