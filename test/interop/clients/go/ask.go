// Calls GetCallerIdentity through the AWS SDK for Go v2, told nothing but what its environment
// says. Prints who AWS says it is, or what the SDK says went wrong (then it exits with 1).
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func main() {
	arn, err := ask(context.Background())
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(arn)
}

func ask(ctx context.Context) (string, error) {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return "", err
	}
	answer, err := sts.NewFromConfig(loaded).GetCallerIdentity(ctx, nil)
	if err != nil {
		return "", err
	}
	return *answer.Arn, nil
}
