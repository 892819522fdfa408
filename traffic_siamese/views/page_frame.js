(() => {
"use strict";
{{script}}
})();
