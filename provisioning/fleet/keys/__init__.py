"""Key blocks: proposed by one officer, approved by another, carried to the pad, its check value compared."""
