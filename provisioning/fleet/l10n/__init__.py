"""Words for the people of the fleet. English message ids are the source; ``zh_CN.po`` beside this is the Chinese."""
