package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/internal/record"
)

// Groups lists exception groups; query holds the parameters of GET
// /api/v1/exceptions.
func (c *Client) Groups(ctx context.Context, query url.Values) (api.Groups, error) {
	return get[api.Groups](ctx, c, "/api/v1/exceptions", query)
}

// Group shows one.
func (c *Client) Group(ctx context.Context, id string) (api.GroupDetails, error) {
	return get[api.GroupDetails](ctx, c, "/api/v1/exceptions/"+url.PathEscape(id), nil)
}

// ChangeGroup resolves, mutes or reopens one, or says whose it is.
func (c *Client) ChangeGroup(ctx context.Context, id string, change api.Change) (api.Group, error) {
	return post[api.Group](ctx, c, "/api/v1/exceptions/"+url.PathEscape(id), change)
}

// Record returns a record with its bucket.
func (c *Client) Record(ctx context.Context, id string) (api.Stored, error) {
	return get[api.Stored](ctx, c, "/api/v1/records/"+url.PathEscape(id), nil)
}

// Buckets lists the buckets with their tokens.
func (c *Client) Buckets(ctx context.Context) ([]api.Bucket, error) {
	return get[[]api.Bucket](ctx, c, "/api/v1/buckets", nil)
}

// CreateBucket makes a bucket with its first token.
func (c *Client) CreateBucket(ctx context.Context, name string) (api.Issued, error) {
	return post[api.Issued](ctx, c, "/api/v1/buckets", api.NewBucket{Name: name})
}

// RotateToken makes a new token; the old ones go on for keepOld, such as 24h.
func (c *Client) RotateToken(ctx context.Context, bucket, keepOld string) (api.Issued, error) {
	return post[api.Issued](ctx, c, "/api/v1/buckets/"+url.PathEscape(bucket)+"/rotate", api.Rotate{KeepOld: keepOld})
}

// RevokeToken ends a token.
func (c *Client) RevokeToken(ctx context.Context, bucket, tokenID string) error {
	_, err := post[struct{}](ctx, c, "/api/v1/buckets/"+url.PathEscape(bucket)+"/revoke", api.Revoke{TokenID: tokenID})
	return err
}

// WhoAmI tells by whose name something would be changed; an error that nothing
// may be.
func (c *Client) WhoAmI(ctx context.Context) (api.Identity, error) {
	return get[api.Identity](ctx, c, "/api/v1/whoami", nil)
}

// HasCredentials is true where the client says who it is.
func (c *Client) HasCredentials() bool { return c.opts.Token != "" || c.opts.User != "" }

// Push sends a batch as an agent does, with a bucket's token.
func (c *Client) Push(ctx context.Context, token string, b record.Batch) (receipt record.Receipt, err error) {
	body, err := json.Marshal(b)
	if err != nil {
		return receipt, err
	}
	r, err := c.request(ctx, http.MethodPost, "/api/v1/push", nil, body)
	if err != nil {
		return receipt, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := c.do(r, "")
	if err != nil {
		return receipt, err
	}
	if err := json.Unmarshal(answer, &receipt); err != nil {
		return receipt, fmt.Errorf("the answer to a push is no receipt: is it a pm25 server? (%w)", err)
	}
	return receipt, nil
}
