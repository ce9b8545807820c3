"""The province's card platform: card state, HSM steps, notices."""
