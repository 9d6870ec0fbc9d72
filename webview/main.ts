import "./panel.css";
import "./app.ts";
import { connectHost } from "./host.ts";

const app = document.createElement("leaf-app");
app.connect(connectHost((message) => app.receive(message)));
document.body.append(app);
