"""What every gRPC server of ours does alike: limits, refusals, pages, statuses."""
