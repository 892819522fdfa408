"""What people look at: pages drawn with plotly."""
