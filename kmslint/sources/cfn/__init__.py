"""CloudFormation's templates: read with places, evaluated as far as the text alone determines it."""
