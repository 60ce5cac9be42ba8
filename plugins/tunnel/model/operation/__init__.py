"""What is looked after: inspection plans and rounds, defects with their history, work orders, the field package."""
