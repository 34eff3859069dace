"""The external API below `/api/v1/ext`: requests in, features asked, answers out."""
