"""What is heard: mixer, transport and the sound process."""
