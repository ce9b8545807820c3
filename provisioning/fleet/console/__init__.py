"""What people of the fleet see and do in a browser: pages made on the server, over the same acts as everything else."""
