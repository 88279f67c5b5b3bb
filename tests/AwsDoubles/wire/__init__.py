"""What goes over the wire: AWS's protocols, signatures and constraints, read from botocore's service models."""
