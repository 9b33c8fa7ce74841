"""What the commands of "Multi-Container Data Pipeline Project" and "Multi-Container ML Application" do."""
