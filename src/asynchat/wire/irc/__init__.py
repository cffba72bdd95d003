"""IRC with the IRCv3 extensions: the rich wire. Its words stay in this folder."""
