// Live updates and local times. Pages have everything without this file.
"use strict";
