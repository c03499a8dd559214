"""An AWS account in; the article's pipeline in it, built, examined or taken down, and its policies as a folder, out."""
