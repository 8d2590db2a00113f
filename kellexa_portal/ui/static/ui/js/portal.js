// The one script of every page. Each module listens for its data attributes; without it all forms still work.
import "./autosubmit.js";
import "./confirm.js";
import "./copy.js";
import "./download.js";
import "./focus.js";
import "./menu.js";
import "./passkey.js";
import "./password.js";
import "./print.js";
import "./shown-once.js";
import "./time-zone.js";
