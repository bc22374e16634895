// The walk in WebKit: ./dev walk webkit
import { webkit } from "./webdriver.mjs";
import { walk } from "./walk.mjs";

walk(webkit);
