"""What every team calls. Team platform; an error in here is mostly its caller's."""
