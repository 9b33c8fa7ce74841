"""What both Dockerfiles share: the packages of both images, and what is left out of packages."""
