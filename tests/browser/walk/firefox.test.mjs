// The walk in Firefox: ./dev walk firefox
import { firefox } from "./firefox.mjs";
import { walk } from "./walk.mjs";

walk(firefox);
