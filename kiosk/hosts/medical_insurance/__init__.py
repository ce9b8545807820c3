"""The national medical insurance interface (国家医保): quotes, settlements, and finding out about them."""
