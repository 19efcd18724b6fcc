/**
 * The page of a report: reads its data and draws it.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { render } from "preact";
import { App } from "./app.tsx";
import type { PageData } from "./data.ts";

const data = JSON.parse(document.getElementById("data")!.textContent!) as PageData;
const root = document.getElementById("app")!;
root.textContent = "";
render(<App data={data} />, root);
